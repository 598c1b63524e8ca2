//! Recipients by a query on a real PostgreSQL server; skipped, and said, where none can be
//! started (Debian: postgresql, as root).

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::campaign::Place;

struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let skip = || {
            println!("skipped: no PostgreSQL server can be started here");
            None
        };
        let programs = std::fs::read_dir("/usr/lib/postgresql")
            .ok()
            .and_then(|all| all.flatten().map(|entry| entry.path().join("bin")).max());
        let Some(programs) = programs.filter(|path| path.join("initdb").exists()) else {
            return skip();
        };
        let folder = tempfile::tempdir().unwrap();
        let given = Command::new("chown")
            .arg("postgres")
            .arg(folder.path())
            .status();
        if !given.is_ok_and(|status| status.success()) {
            return skip();
        }
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = Self {
            folder,
            programs,
            port,
        };
        let data = server.folder.path().display();
        let options = format!("-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off");
        let up = server.run("initdb", &format!("-D {data}/db -A trust -E UTF8"))
            && server.run(
                "pg_ctl",
                &format!("-D {data}/db -w -o '{options}' -l {data}/log start"),
            );
        if up { Some(server) } else { skip() }
    }

    fn run(&self, program: &str, arguments: &str) -> bool {
        Command::new("su")
            .args(["postgres", "-c"])
            .arg(format!("{}/{program} {arguments}", self.programs.display()))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn sql(&self, file: &Path) {
        let arguments = format!("-h 127.0.0.1 -p {} -q -f {}", self.port, file.display());
        assert!(self.run("psql", &arguments));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().display().to_string();
        self.run("pg_ctl", &format!("-D {data}/db -m immediate stop"));
    }
}

#[test]
fn a_query_gives_the_list() {
    let Some(server) = Server::start() else {
        return;
    };
    let place = Place::new();
    let setup = server.folder.path().join("setup.sql");
    std::fs::write(
        &setup,
        "create table users(id int, mail text, name text, plan text);\n\
         insert into users select n, 'p' || n || '@example.org', 'Person ' || n, 'gold' from generate_series(1, 500) n;\n\
         insert into users values (501, null, 'Nobody', null), (502, E'a@b.example\\nBcc: x@y.example', 'Eve', null);\n",
    )
    .unwrap();
    server.sql(&setup);
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    let ask = |query: &str, code: i32| {
        let arguments = [
            "campaign",
            "create",
            "notice.json",
            "--from",
            "n@mail.example",
            "--recipients",
            url.as_str(),
            "--query",
            query,
        ];
        place.json(&arguments, code)
    };
    let created = ask(
        "SELECT mail AS email, name, id AS user_id, plan FROM users ORDER BY id;",
        0,
    );
    assert_eq!(created["recipients"], 500, "{created}");
    let lines: Vec<_> = created["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["line"].as_u64())
        .collect();
    assert_eq!(lines, [Some(501), Some(502)]);
    let id = created["id"].as_str().unwrap();
    let shown = place.json(&["campaign", "preview", id, "77"], 0);
    assert_eq!(shown["messages"][0]["email"], "p78@example.org");
    for (query, words) in [
        ("SELECT absent FROM users", "absent"),
        (
            "SELECT mail AS email, 1 / (id - 400) AS n FROM users ORDER BY id",
            "division by zero",
        ),
        ("DELETE FROM users RETURNING mail AS email", "syntax"),
    ] {
        let error = ask(query, 1);
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
    }
}
