//! What is signed comes back; nothing else does.

use proptest::prelude::*;

use super::*;

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(crate) fn made(version: u64) -> Package {
    let files = [
        ("card.json", b"{}".to_vec()),
        ("change-plan.toml", ChangePlan::default().text().into_bytes()),
        ("data-card.json", b"{}".to_vec()),
        ("gates.json", b"[]".to_vec()),
        ("model.bin", (0..2_000).map(|i| (i * version % 251) as u8).collect()),
    ];
    let head = Head {
        name: "wardwatch-models".to_owned(),
        version,
        parent: version.checked_sub(1),
        features: Features { version: 3, digest: "abc".to_owned() },
        created_at: "2026-11-23T20:38:50Z".to_owned(),
    };
    Package::build(head, files.map(|(name, bytes)| (name.to_owned(), bytes)).into()).expect("whole")
}

fn signed_by(seed: u8) -> Vec<u8> {
    made(1).sign(&key(seed)).expect("signed")
}

fn read(bytes: &[u8]) -> Result<(Package, Fingerprint), PackageError> {
    Package::read(bytes, &[key(1).public()])
}

/// The archive of a package, so that a test can spoil it and pack it again.
fn entries() -> Vec<(String, Vec<u8>)> {
    archive::read(&signed_by(1)).expect("an archive")
}

fn packed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|e| (e.0.as_str(), e.1.as_slice())).collect();
    archive::write(&entries).expect("packed")
}

#[test]
fn a_package_comes_back_as_it_was_and_says_who_signed_it() {
    let (package, signer) = read(&signed_by(1)).expect("trusted");
    assert_eq!((&package, signer), (&made(1), key(1).public().fingerprint()));
    assert_eq!(package.manifest().features().version, 3);
    assert_eq!(package.change_plan().expect("a plan"), ChangePlan::default());
    assert_eq!(signed_by(1), signed_by(1), "the same bytes every time");
}

#[test]
fn another_signer_is_named() {
    let Err(PackageError::UnknownSigner(who)) = read(&signed_by(2)) else { panic!("accepted") };
    assert_eq!(who, key(2).public().fingerprint());
    assert_eq!(who.to_string().len(), 32);
}

#[test]
fn a_stranger_who_claims_a_trusted_key_is_refused() {
    let mut entries = entries();
    let trusted = hex_of(&key(1));
    let other = String::from_utf8(archive::read(&signed_by(2)).expect("an archive")[1].1.clone());
    let claimed = other.expect("text").replace(&hex_of(&key(2)), &trusted);
    entries[1].1 = claimed.into_bytes();
    assert!(matches!(read(&packed(&entries)), Err(PackageError::Signature)));
}

fn hex_of(key: &SecretKey) -> String {
    let signature: serde_json::Value = serde_json::from_str(&key.sign(b"")).expect("JSON");
    signature["key"].as_str().expect("a key").to_owned()
}

#[test]
fn a_changed_file_is_named() {
    let mut changed = entries();
    changed.last_mut().expect("a file").1[7] ^= 1;
    let Err(PackageError::Digest(name)) = read(&packed(&changed)) else { panic!("accepted") };
    assert_eq!(name, "model.bin");
}

#[test]
fn a_changed_manifest_breaks_the_signature() {
    let mut changed = entries();
    let text = String::from_utf8(changed[0].1.clone()).expect("text");
    changed[0].1 = text.replace("\"version\": 1,", "\"version\": 9,").into_bytes();
    assert!(matches!(read(&packed(&changed)), Err(PackageError::Signature)));
}

#[test]
fn files_too_many_too_few_and_twice_are_named() {
    let mut more = entries();
    more.push(("notes.txt".to_owned(), Vec::new()));
    assert!(
        matches!(read(&packed(&more)), Err(PackageError::Unexpected(name)) if name == "notes.txt")
    );
    let mut fewer = entries();
    fewer.pop();
    assert!(
        matches!(read(&packed(&fewer)), Err(PackageError::Missing(name)) if name == "model.bin")
    );
    let mut twice = entries();
    twice.push(twice[2].clone());
    assert!(
        matches!(read(&packed(&twice)), Err(PackageError::Duplicate(name)) if name == "card.json")
    );
    let files = BTreeMap::from([("card.json".to_owned(), Vec::new())]);
    assert!(matches!(Package::build(Head::default(), files), Err(PackageError::Missing(_))));
}

#[test]
fn a_name_with_a_path_in_it_is_refused() {
    for name in ["../x", "/etc/passwd", "a/b", "..", ".x", "", "A", "x\0y", "x y"] {
        assert!(!archive::plain(name), "{name}");
    }
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    header.as_ustar_mut().expect("ustar").name[..4].copy_from_slice(b"../x");
    header.set_cksum();
    let mut tar = header.as_bytes().to_vec();
    tar.resize(512 + 1_024, 0);
    let packed = zstd::stream::encode_all(tar.as_slice(), 1).expect("packed");
    assert!(matches!(read(&packed), Err(PackageError::Name(name)) if name == "../x"));
    // A link, with a plain name.
    header.as_ustar_mut().expect("ustar").name[..4].copy_from_slice(b"abcd");
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_cksum();
    tar[..512].copy_from_slice(header.as_bytes());
    let packed = zstd::stream::encode_all(tar.as_slice(), 1).expect("packed");
    assert!(matches!(read(&packed), Err(PackageError::Name(_))));
}

#[test]
fn a_newer_format_is_told_of_as_that() {
    let text = made(1).manifest.text().replace("\"format\": 1", "\"format\": 2, \"extra\": {}");
    let signature = key(1).sign(&signed(text.as_bytes()));
    let mut newer = entries();
    newer[0].1 = text.into_bytes();
    newer[1].1 = signature.into_bytes();
    assert!(matches!(read(&packed(&newer)), Err(PackageError::Newer { found: 2 })));
}

#[test]
fn a_bomb_goes_off_outside() {
    // A gigabyte of nought, some dozens of kilobytes of it on disk.
    let zeros = std::io::Read::take(std::io::repeat(0), 1 << 30);
    let bomb = zstd::stream::encode_all(zeros, 1).expect("packed");
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(read(&bomb), Err(PackageError::TooLarge)));
}

#[test]
fn what_is_cut_short_is_told_of_as_that() {
    let whole = signed_by(1);
    for end in [1, 4, 8, whole.len() / 2, whole.len() - 1] {
        let cut = read(&whole[..end]);
        assert!(matches!(cut, Err(PackageError::Truncated)), "{end}: {cut:?}");
    }
    assert!(read(&[]).is_err());
}

#[test]
fn what_hides_behind_the_last_file_is_refused() {
    let tar = zstd::stream::decode_all(signed_by(1).as_slice()).expect("expanded");
    for more in [vec![0; 512], b"hidden".to_vec()] {
        let longer = [tar.clone(), more].concat();
        let packed = zstd::stream::encode_all(longer.as_slice(), 1).expect("packed");
        assert!(matches!(read(&packed), Err(PackageError::Malformed(_))));
    }
}

#[test]
fn keys_come_back_from_files_that_only_their_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (secret, public) = (folder.path().join("key"), folder.path().join("key.pub"));
    let key = SecretKey::generate().expect("a key");
    key.save(&secret).expect("saved");
    key.public().save(&public).expect("saved");
    assert_eq!(std::fs::metadata(&secret).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(SecretKey::load(&secret).expect("a key").public(), key.public());
    assert_eq!(PublicKey::load(&public).expect("a key"), key.public());
    assert!(key.save(&secret).is_err(), "an existing key is not overwritten");
    assert!(matches!(SecretKey::load(&public), Err(KeyError::Malformed(..))));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o640)).expect("set");
    assert!(matches!(SecretKey::load(&secret), Err(KeyError::Open(_))));
    let shown = format!("{key:?}");
    assert!(shown.contains(&key.public().fingerprint().to_string()) && shown.len() < 60);
}

#[test]
fn a_plan_says_what_may_change_and_asks_when_in_doubt() {
    let plan = ChangePlan::default();
    assert_eq!(plan.allows("thresholds", -0.2), Allowed::Automatic);
    assert_eq!(plan.allows("thresholds", 0.3), Allowed::Review);
    assert_eq!(plan.allows("thresholds", f64::NAN), Allowed::Review);
    assert_eq!(plan.allows("features", 0.0), Allowed::Review);
    assert_eq!(plan.allows("enforcement_caps", 0.0), Allowed::Never);
    assert_eq!(plan.allows("anything_else", 0.0), Allowed::Review);
    assert!(ChangePlan::read("shadow_days = 7\nautomatik = 1").is_err());
    let wrong = plan.text().replace("0.25", "25.0");
    assert!(matches!(ChangePlan::read(&wrong), Err(PackageError::Plan(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_are_never_a_package(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&bytes).is_err());
        let packed = zstd::stream::encode_all(bytes.as_slice(), 1).unwrap();
        prop_assert!(read(&packed).is_err());
    }

    #[test]
    fn a_changed_byte_is_never_accepted_as_something_else(
        place in any::<prop::sample::Index>(), by in 1_u8..=255, tar in any::<bool>()
    ) {
        let mut bytes = signed_by(1);
        if tar {
            let mut inner = zstd::stream::decode_all(bytes.as_slice()).unwrap();
            let place = place.index(inner.len());
            inner[place] ^= by;
            prop_assert!(read(&zstd::stream::encode_all(inner.as_slice(), 1).unwrap()).is_err());
        } else {
            let place = place.index(bytes.len());
            bytes[place] ^= by;
            // A bit of the compression alone may be another way to write the same.
            if let Ok((package, _)) = read(&bytes) {
                prop_assert_eq!(package, made(1));
            }
        }
    }
}
