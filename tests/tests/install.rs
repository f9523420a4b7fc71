//! An installed mpguard as others find it: by pkg-config, statically, and by CMake.

#[path = "../../xtask/src/install.rs"]
mod install;
#[allow(dead_code, reason = "the programs of tests/c and tests/cpp use the rest")]
mod stage;

use mpguard_tests::{Done, place::Place, tool};
use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn check(test: impl FnOnce(&Place, &Path) -> Done, name: &str) {
    let done = Place::of_this_test().and_then(|place| {
        let folder = tool::scratch(env!("CARGO_TARGET_TMPDIR"), &format!("install-{name}"))?;
        test(&place, &folder)
    });
    if let Err(why) = done {
        panic!("{why}");
    }
}

/// Installs this very build below `folder`, as a package builder does; where the prefix lies.
fn installed(place: &Place, folder: &Path) -> Done<PathBuf> {
    install::install(Path::new("/opt/mpguard"), Some(folder), &place.built.join("deps"))?;
    Ok(folder.join("opt/mpguard"))
}

#[test]
fn the_tree_holds_library_headers_and_package_files() {
    check(
        |place, folder| {
            let root = installed(place, folder)?;
            let version = env!("CARGO_PKG_VERSION");
            let target = |name: &str| fs::read_link(root.join("lib").join(name)).expect("a link");
            assert_eq!(target("libmpguard.so"), Path::new("libmpguard.so.1"));
            assert_eq!(
                target("libmpguard.so.1"),
                PathBuf::from(format!("libmpguard.so.1.{version}"))
            );
            for name in ["lib/libmpguard.a", "include/mpguard.h", "include/mpguard.hpp"] {
                assert!(root.join(name).is_file(), "{name} is missing");
            }
            for name in ["lib/pkgconfig/mpguard.pc", "lib/cmake/mpguard/mpguard-config.cmake"] {
                let text = fs::read_to_string(root.join(name)).expect("it is there");
                assert!(text.contains(version), "{name}: {text}");
                assert!(!text.contains('@'), "{name} has an empty place: {text}");
                assert!(!text.contains("/opt"), "{name} names the prefix: {text}");
            }
            // Once more over itself, as an upgrade does.
            installed(place, folder).map(drop)
        },
        "tree",
    );
}

#[test]
fn a_mistaken_install_says_what_and_what_next() {
    check(
        |place, folder| {
            let deps = place.built.join("deps");
            let relative = install::install(Path::new("usr"), Some(folder), &deps);
            assert!(relative.expect_err("not absolute").contains("`usr`"));
            let missing = install::install(Path::new("/usr"), Some(folder), folder);
            assert!(missing.expect_err("nothing built").contains("cargo build"));
            let file = folder.join("file");
            fs::write(&file, "").expect("writable");
            let blocked = install::install(Path::new("/usr"), Some(&file), &deps);
            assert!(blocked.expect_err("not a folder").contains("DESTDIR"));
            Ok(())
        },
        "mistakes",
    );
}

#[test]
fn a_c_program_is_built_by_pkg_config() {
    check(
        |place, folder| {
            let root = installed(place, folder)?;
            let flags = pkg_config(&root, &["--cflags", "--libs", "mpguard >= 0.1"])?;
            let program = folder.join("product");
            compile("cc", &place.root.join("packaging/examples/product.c"), &program, &flags)?;
            assert!(needed(&program)?.contains("libmpguard.so.1"));
            work(place, &program, &root.join("lib"))
        },
        "pkg-config",
    );
}

#[test]
fn a_program_is_linked_statically_by_pkg_config() {
    check(
        |place, folder| {
            let root = installed(place, folder)?;
            // Only the archive is there, as in a package for static use.
            for name in ["libmpguard.so", "libmpguard.so.1"] {
                fs::remove_file(root.join("lib").join(name)).expect("it was installed");
            }
            let flags = pkg_config(&root, &["--static", "--cflags", "--libs", "mpguard"])?;
            for (compiler, source) in [("cc", "product.c"), ("c++", "product.cpp")] {
                let program = folder.join(source.replace('.', "-"));
                compile(
                    compiler,
                    &place.root.join("packaging/examples").join(source),
                    &program,
                    &flags,
                )?;
                assert!(!needed(&program)?.contains("mpguard"));
                work(place, &program, folder)?;
            }
            Ok(())
        },
        "static",
    );
}

#[test]
fn a_cpp_project_finds_it_by_cmake() {
    check(
        |place, folder| {
            let root = installed(place, folder)?;
            let build = folder.join("build");
            tool::run(
                Command::new(cmake(place)?)
                    .args(["-G", "Unix Makefiles", "-DCMAKE_BUILD_TYPE=Debug", "-S"])
                    .arg(place.root.join("bindings/cpp"))
                    .arg("-B")
                    .arg(&build)
                    .arg(format!("-DCMAKE_PREFIX_PATH={}", root.display())),
            )?;
            tool::run(Command::new(cmake(place)?).arg("--build").arg(&build))?;
            let (_sandbox, config) = stage::start(place)?;
            let file = folder.join("config.json");
            fs::write(&file, config.to_string()).expect("writable");
            for program in ["consumer", "consumer_static"] {
                let said = tool::run(Command::new(build.join(program)).arg(&file))?;
                let version = env!("CARGO_PKG_VERSION");
                assert!(said.contains(&format!("mpguard {version}: licensed")), "{said}");
            }
            assert!(!needed(&build.join("consumer_static"))?.contains("mpguard"));
            Ok(())
        },
        "cmake",
    );
}

#[test]
fn cmake_refuses_a_version_that_is_newer_than_what_is_installed() {
    check(
        |place, folder| {
            let root = installed(place, folder)?;
            let source = folder.join("newer");
            fs::create_dir_all(&source).expect("writable");
            let text = "cmake_minimum_required(VERSION 3.16)\nproject(newer LANGUAGES C)\nfind_package(mpguard 9.9 REQUIRED)\n";
            fs::write(source.join("CMakeLists.txt"), text).expect("writable");
            let refused = tool::run(
                Command::new(cmake(place)?)
                    .args(["-G", "Unix Makefiles", "-S"])
                    .arg(&source)
                    .arg("-B")
                    .arg(folder.join("build"))
                    .arg(format!("-DCMAKE_PREFIX_PATH={}", root.display())),
            );
            let why = refused.expect_err("9.9 is not installed");
            assert!(why.contains("9.9") && why.contains(env!("CARGO_PKG_VERSION")), "{why}");
            Ok(())
        },
        "cmake-newer",
    );
}

/// The cmake of the test run's virtual environment, of `MPGUARD_CMAKE`, or of the machine.
fn cmake(place: &Place) -> Done<OsString> {
    if let Some(cmake) = env::var_os("MPGUARD_CMAKE") {
        return Ok(cmake);
    }
    let beside_python = place.python.with_file_name("cmake");
    if beside_python.is_absolute() && beside_python.is_file() {
        return Ok(beside_python.into());
    }
    let there = Command::new("cmake").arg("--version").stdout(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Ok("cmake".into());
    }
    Err("cmake is missing: run `cargo xtask setup`, which installs it for the tests, install CMake 3.16, \
         or name one by MPGUARD_CMAKE"
        .into())
}

fn pkg_config(root: &Path, arguments: &[&str]) -> Done<Vec<String>> {
    let flags = tool::run(
        Command::new("pkg-config")
            .args(["--define-prefix", "--print-errors"])
            .args(arguments)
            .env("PKG_CONFIG_PATH", root.join("lib/pkgconfig")),
    )?;
    Ok(flags.split_whitespace().map(str::to_owned).collect())
}

fn compile(compiler: &str, source: &Path, program: &Path, flags: &[String]) -> Done {
    tool::run(
        Command::new(compiler)
            .args(["-Wall", "-Wextra", "-pedantic", "-Werror"])
            .arg(if compiler == "cc" { "-std=c99" } else { "-std=c++17" })
            .arg(source)
            .arg("-o")
            .arg(program)
            .args(flags),
    )
    .map(drop)
}

fn needed(program: &Path) -> Done<String> {
    let dynamic = tool::run(Command::new("readelf").arg("-d").arg(program))?;
    Ok(dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect())
}

/// Lets an example product do a day's work against a sandbox.
fn work(place: &Place, program: &Path, lib: &Path) -> Done {
    let (_sandbox, config) = stage::start(place)?;
    let mut child = Command::new(program)
        .env("PRODUCT_CONFIG", config.to_string())
        .env("LD_LIBRARY_PATH", lib)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start `{}`: {e}", program.display()))?;
    let mut stdin = child.stdin.take().ok_or("stdin is piped")?;
    stdin.write_all(b"1 20\n300 4000\n").map_err(|e| e.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let (said, wrong) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && wrong.is_empty(), "{said}\n{wrong}");
    for line in [
        "licensed: tier Basic",
        "seat: held",
        "worked: 1 20",
        "worked: 300 4000",
        "callback: verdict_changed: ",
    ] {
        assert!(said.contains(line), "`{line}` is not in\n{said}");
    }
    assert!(said.contains("report: {\"recorded\":4321,\"pending\":0"), "{said}");
    Ok(())
}
