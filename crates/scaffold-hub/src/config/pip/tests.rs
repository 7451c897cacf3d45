use super::*;

fn settings(vars: &[(&str, &str)], files: &[(&str, &str)]) -> IndexSettings {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = dir.path().to_string_lossy().into_owned();
    let var = |name: &str| {
        let given = vars.iter().find(|(k, _)| *k == name).map(|(_, v)| v.replace("ROOT", &root));
        given.or_else(|| (name == "XDG_CONFIG_DIRS").then(|| format!("{root}/xdg")))
    };
    let mut environment = PipEnvironment::from_vars(&var, dir.path());
    // The machine's own file is none of the test's business.
    environment.config_files.retain(|p| p.starts_with(dir.path()));
    environment.index_settings()
}

#[cfg(not(windows))]
#[test]
fn the_index_is_the_one_that_pip_would_use() {
    let user = ".config/pip/pip.conf";
    let first =
        |vars: &[(&str, &str)], files: &[(&str, &str)]| settings(vars, files).indexes[0].clone();
    assert_eq!(first(&[], &[]), "https://pypi.org/simple");
    let global = "[global]\nindex-url = https://global/simple\n";
    let install = "[install]\nindex_url: https://install/simple\n";
    assert_eq!(first(&[], &[(user, global)]), "https://global/simple");
    assert_eq!(
        first(&[], &[("xdg/pip/pip.conf", install), (user, global)]),
        "https://install/simple"
    );
    assert_eq!(
        first(&[("PIP_INDEX_URL", "https://var/simple")], &[(user, install)]),
        "https://var/simple"
    );
    let site = [(user, global), ("venv/pip.conf", "[global]\nindex-url=https://site/simple")];
    assert_eq!(first(&[("VIRTUAL_ENV", "ROOT/venv")], &site), "https://site/simple");
    let own = [
        (user, global),
        ("own.conf", "[global]\nextra-index-url =\n  https://a/s\n  https://b/s\n"),
    ];
    let s = settings(&[("PIP_CONFIG_FILE", "ROOT/own.conf")], &own);
    assert_eq!(s.indexes, ["https://pypi.org/simple", "https://a/s", "https://b/s"]);
    assert_eq!(
        first(&[("PIP_CONFIG_FILE", "/dev/null")], &[(user, global)]),
        "https://pypi.org/simple"
    );
    let s =
        settings(&[], &[(user, "[global]\nno-index = true\ncert = /c.pem\nproxy = http://p:1\n")]);
    assert!(s.no_index && s.cert.is_some() && s.proxy.is_some());
}
