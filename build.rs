//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str, value: &str| std::env::var_os(name).is_some_and(|v| v == value);
    // A position-independent program of this size is relocated at each start, which takes longer
    // than comparing two short policies. It holds no secrets that outlive a run and loads no code,
    // so a fixed address is the better bargain here. Other systems require the other kind.
    if target("CARGO_CFG_TARGET_OS", "linux") && target("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bin=fairnotice=-no-pie");
        // What unwinds a panic comes with every C compiler; linked in, it is one library less to
        // find, map and bind at each start.
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
