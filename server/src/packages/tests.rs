//! Packages of apt, and what they bring.

use expect_test::{Expect, expect};

use crate::packages::{Documentation, apt_closure, closure};
use crate::table::Table;

/// Each line is what stands behind `apt-get install`.
fn check(installs: &str, expected: Expect) {
    let mut res = String::new();
    for line in installs.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.starts_with("--")).collect();
        let closure = apt_closure(&words, !line.contains("--no-install-recommends"));
        let disk = closure.on_disk(Documentation::Excluded);
        let disk = disk.map_or("nothing known".to_owned(), |it| format!("{} ({} to {})", it.words(), it.low, it.high));
        res.push_str(&format!(
            "{line}: {} packages, {} bytes fetched, {disk}{}\n",
            closure.packages(),
            closure.download_bytes(),
            if closure.unknown.is_empty() { String::new() } else { format!(", unknown: {:?}", closure.unknown) },
        ));
    }
    expected.assert_eq(&res);
}

#[test]
fn packages_bring_what_they_need() {
    check(
        "
        curl
        --no-install-recommends curl
        --no-install-recommends curl ca-certificates
        --no-install-recommends build-essential
        --no-install-recommends python3-pip
        python3-pip
        --no-install-recommends git=1:2.39.2-1.1 curl/stable
        --no-install-recommends adduser
        --no-install-recommends curl no-such-package python-
        ",
        expect![[r#"
            curl: 22 packages, 6132136 bytes fetched, about 15 MB (14.0 MB to 17.0 MB)
            --no-install-recommends curl: 16 packages, 4243288 bytes fetched, about 12 MB (11.1 MB to 13.6 MB)
            --no-install-recommends curl ca-certificates: 18 packages, 5846020 bytes fetched, about 14 MB (13.3 MB to 16.2 MB)
            --no-install-recommends build-essential: 56 packages, 76721356 bytes fetched, about 300 MB (276 MB to 332 MB)
            --no-install-recommends python3-pip: 30 packages, 13404136 bytes fetched, about 70 MB (64.8 MB to 78.2 MB)
            python3-pip: 152 packages, 121447812 bytes fetched, about 450 MB (420 MB to 506 MB)
            --no-install-recommends git=1:2.39.2-1.1 curl/stable: 26 packages, 21468676 bytes fetched, about 93 MB (86.3 MB to 104 MB)
            --no-install-recommends adduser: 0 packages, 0 bytes fetched, nothing known
            --no-install-recommends curl no-such-package python-: 16 packages, 4243288 bytes fetched, about 12 MB (11.1 MB to 13.6 MB), unknown: ["no-such-package", "python-"]
        "#]],
    );
}

#[test]
fn what_is_there_already_is_not_counted_again() {
    let curl = apt_closure(&["curl"], false);
    let both = apt_closure(&["curl", "git"], false);
    let git = both.without(&curl);
    assert_eq!(both.packages(), curl.packages() + git.packages());
    assert_eq!(curl.clone().with(&git).installed_bytes(), both.installed_bytes());
    assert!(!git.names().any(|name| name == "curl"));
    assert!(git.names().any(|name| name == "git"));
}

#[test]
fn what_the_recipes_of_base_images_install_is_in_the_table() {
    for line in include_str!("../../data/image-traits.tsv").lines().skip(1) {
        let packages: Vec<&str> = line.split('\t').nth(9).unwrap_or_default().split_ascii_whitespace().collect();
        assert_eq!(apt_closure(&packages, false).unknown, Vec::<String>::new());
    }
}

/// Unpacked bytes of layers built for real on `debian:bookworm-slim` (2026-11-20): overlay directories after
/// `apt-get install -y`, lists not included.
const MEASURED: [(&str, bool, u64); 24] = [
    ("curl", false, 12_028_212),
    ("ca-certificates", false, 9_236_464),
    ("git", false, 91_879_184),
    ("build-essential", false, 296_735_790),
    ("python3", false, 44_222_801),
    ("python3-pip", false, 69_869_809),
    ("wget", false, 1_504_179),
    ("gcc", false, 164_202_446),
    ("libpq-dev", false, 22_585_003),
    ("unzip", false, 1_216_423),
    ("gnupg", false, 10_431_346),
    ("procps", false, 2_236_725),
    ("nginx", false, 15_294_127),
    ("imagemagick", false, 93_613_131),
    ("openssh-client", false, 15_037_453),
    ("default-jre-headless", false, 225_045_087),
    ("sudo", false, 3_313_792),
    ("vim", false, 41_379_843),
    ("curl", true, 15_146_045),
    ("git", true, 104_891_701),
    ("build-essential", true, 358_357_514),
    ("python3-pip", true, 451_707_570),
    ("vim", true, 41_429_616),
    ("imagemagick", true, 194_984_508),
];

#[test]
fn measured_layers_lie_between_low_and_high() {
    let mut errors: Vec<u64> = Vec::new();
    let mut within = 0;
    for (package, recommends, measured) in MEASURED {
        let estimate =
            apt_closure(&[package], recommends).on_disk(Documentation::Excluded).expect("it is in the table");
        within += usize::from((estimate.low.0..=estimate.high.0).contains(&measured));
        errors.push(estimate.likely.0.abs_diff(measured) * 100 / measured);
    }
    errors.sort_unstable();
    assert_eq!(within, MEASURED.len(), "all lie between low and high");
    assert!(errors[MEASURED.len() / 2] <= 1 && errors.last() <= Some(&6), "errors in percent: {errors:?}");
}

#[test]
fn a_table_that_is_cut_gives_no_panic() {
    let whole: &[u8] = include_bytes!("../../data/packages.bin");
    for len in (0..400).chain([whole.len() / 2, whole.len() - 1]) {
        let closure = closure(Table::new(&whole[..len]), &["curl", "git"], true);
        assert!(closure.packages() < 200);
    }
}
