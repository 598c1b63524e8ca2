//! The five published policies, tracked and then altered, where they are at hand.

use std::{fs, path::PathBuf};

use super::{bench::Bench, outlines::shared};

const ADDED: &str =
    "\nWe may sell your personal information to data brokers without your consent.\n";

fn policies() -> Vec<(String, PathBuf)> {
    let Some(folder) = shared().map(|shared| shared.join("policies")) else {
        println!("skipped: no shared folder with policies");
        return Vec::new();
    };
    let mut all: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt" || e == "md"))
        .filter(|path| path.to_string_lossy().contains("privacy"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                path,
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn published_policies_are_tracked_and_a_planted_change_is_found() {
    let policies = policies();
    let mut configuration = "[organisation]\nname = \"Larkspur\"\n".to_owned();
    let bench = Bench::new();
    for (id, path) in &policies {
        let name = path.file_name().unwrap().to_string_lossy();
        bench.write(&name, fs::read(path).unwrap());
        configuration += &format!("[[document]]\nid = \"{id}\"\nsource = \"{name}\"\n");
    }
    bench.write("fairnotice.toml", configuration);
    let first = bench.run(&["check"]).exits(0);
    if !policies.is_empty() {
        for warning in ["names no policy", "is absent|announce"] {
            assert!(
                warning.split('|').any(|part| first.out.contains(part)),
                "{warning}: {}",
                first.out
            );
        }
    }
    for (id, path) in &policies {
        let name = path.file_name().unwrap().to_string_lossy();
        let file = path.to_str().unwrap();
        bench.run(&["outline", file]).exits(0);
        bench.run(&["duties", file]).exits(0);
        let shown = bench.run(&["show", file]).exits(0).out;
        bench.write("shown.md", &shown);
        let again = bench.run(&["show", "shown.md"]).exits(0).out;
        assert_eq!(shown, again, "{name}: `show` of `show` is the same bytes");
        bench.write(
            &name,
            format!("{}{ADDED}", fs::read_to_string(path).unwrap()),
        );
        let diff = bench.run(&["diff", file, &name, "--format", "json", "--exit-code"]);
        assert_eq!(diff.code, 20, "{id}: {}{}", diff.out, diff.err);
        let findings = &diff.json()["findings"];
        assert_eq!(findings.as_array().unwrap().len(), 1, "{id}: {findings}");
        assert_eq!(findings[0]["topic"], "sharing", "{id}: {findings}");
    }
    for (id, said) in bench.check("2027-02-01T00:00:00Z") {
        assert_eq!(said["state"], "changed", "{id}: {said}");
        assert_eq!(said["verdict"], "material", "{id}: {said}");
    }
    for (id, said) in bench.check("2027-02-02T00:00:00Z") {
        assert_eq!(said["state"], "unchanged", "{id}: {said}");
    }
}
