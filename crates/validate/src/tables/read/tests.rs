use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::tables::ColumnRef;

/// A file with an ending, which says how it is packed.
fn file(ending: &str, bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    file
}

fn table(text: &str, options: &TableOptions) -> Result<Table, TableError> {
    read(file(".csv", text.as_bytes()).path(), None, options)
}

const FLOWS: &str = "proto,bytes,rate,label\n\
    tcp,10,0.5,normal\n\
    udp,20,,scan\n\
    \"tcp\",30,nan,Normal\n";

#[test]
fn columns_of_words_and_of_numbers_are_told_apart_with_names_and_without() {
    let read = table(FLOWS, &TableOptions::new("label")).unwrap();
    assert_eq!(read.kinds, ["normal", "scan", "Normal"]);
    assert!(!read.attack(2), "how a label is capitalised makes an attack");
    let names: Vec<&str> = read.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["proto", "bytes", "rate"]);
    assert_eq!((read.word(0, 1), read.word(0, 2)), (Some("udp"), Some("tcp")));
    let Values::Numbers(rates) = &read.columns[2].values else { panic!("rate is no number") };
    assert!(rates[0] == 0.5 && rates[1].is_nan() && rates[2].is_nan());
    assert_eq!((read.unread, read.guessed, read.test), (0, true, 3));
    let bare = FLOWS.split_once('\n').unwrap().1;
    let same = table(bare, &TableOptions::new("4")).unwrap();
    assert_eq!((&same.labels, &same.exact), (&read.labels, &read.exact));
    assert_eq!(same.columns[1].name, "column 2");
}

#[test]
fn packed_files_and_other_separators_hold_the_same_table() {
    let options = TableOptions::new("label");
    let plain = table(FLOWS, &options).unwrap();
    let tabs = FLOWS.replace(',', "\t");
    let zst = zstd::encode_all(tabs.as_bytes(), 1).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(FLOWS.replace(',', ";").as_bytes()).unwrap();
    let (zst, gz) = (file(".tsv.zst", &zst), file(".csv.gz", &gz.finish().unwrap()));
    for packed in [zst.path(), gz.path()] {
        // NaN is not equal to itself, but looks so.
        let read = read(packed, None, &options).unwrap();
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
    }
}

#[test]
fn the_test_half_stands_behind_with_its_own_words_and_labels() {
    let (train, test) =
        (file(".csv", FLOWS.as_bytes()), file(".csv", b"proto,bytes,rate,label\nsctp,1,x,worm\n"));
    let read = read(train.path(), Some(test.path()), &TableOptions::new("label")).unwrap();
    assert_eq!(
        (read.test, read.rows(), read.kind(3), read.word(0, 3)),
        (3, 4, "worm", Some("sctp"))
    );
    assert_eq!(read.unread, 1, "a word in a column of numbers is counted");
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_column() {
    let options = TableOptions::new("label");
    let said = |text: &str| table(text, &options).unwrap_err().to_string();
    assert!(said("").contains("no rows"));
    assert!(said("proto,label\n").contains("no rows"));
    assert!(
        said("a,label\n1,normal\n1,2,3\n").contains("line 3: 3 fields where the first line has 2")
    );
    assert!(said("a,b\n1,normal\n").contains("no column 'label' for the label; there are 2: a, b"));
    assert!(said("a,label\n1,good\n2,bad\n").contains("(good, bad); name it with --normal"));
    assert!(said("a,label\n1,normal\n2,\n").contains("line 3: the column of the label is empty"));
    assert!(said("label\nnormal\n").contains("no column is left"));
    let bytes = file(".csv", b"a,label\n\xff,normal\n");
    let error = read(bytes.path(), None, &options).unwrap_err();
    assert!(matches!(error, TableError::NotText { line: 2, column: 1, .. }), "{error}");
    let gone = read(Path::new("/nowhere/x.csv"), None, &options).unwrap_err();
    assert!(matches!(gone, TableError::Read { .. }));
    let timed = TableOptions { time: Some(ColumnRef("a".into())), ..options.clone() };
    let error = table("a,b,label\nnoon,1,normal\n", &timed).unwrap_err().to_string();
    assert!(error.contains("no time"), "{error}");
}

#[test]
fn a_million_columns_an_endless_line_and_endless_labels_are_refused() {
    let options = TableOptions::new("1");
    let large = |text: String, what: &str| match table(&text, &options).unwrap_err() {
        TableError::TooLarge { what: found, .. } => assert!(found.contains(what), "{found}"),
        error => panic!("{error}"),
    };
    large("1,".repeat(1_000_000), "columns");
    large(format!("0,\"{}", "x".repeat(6 << 20)), "bytes of a line");
    large(format!("0,{}\n", "x".repeat(100_000)), "bytes of a field");
    large((0..2_000).map(|at| format!("{at},1\n")).collect(), "labels");
}

#[test]
fn nearly_the_same_rows_differ_in_the_third_digit() {
    let text = "a,b,label\n1234,tcp,normal\n1233,tcp,normal\n1280,tcp,normal\n-1234,tcp,scan\n";
    let read = table(text, &TableOptions::new("label")).unwrap();
    assert_ne!(read.exact[0], read.exact[1]);
    assert_eq!(read.near[0], read.near[1]);
    assert!(read.near[0] != read.near[2] && read.near[0] != read.near[3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_a_table_or_a_reason(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        ending in prop::sample::select(vec![".csv", ".csv.gz", ".csv.zst"]),
        label in "[1-3]",
    ) {
        let file = file(ending, &bytes);
        let _ = read(file.path(), Some(file.path()), &TableOptions::new(&label));
    }

    #[test]
    fn any_text_of_fields_is_a_table_or_a_reason(
        text in "([a-c0-9.\"-]{0,4}[,;\t\n]){0,60}",
        header in prop::option::of(any::<bool>()),
    ) {
        let options = TableOptions { header, normal: Some("a".into()), ..TableOptions::new("1") };
        if let Ok(read) = table(&text, &options) {
            prop_assert!(read.rows() > 0);
            let full = |column: &Column| match &column.values {
                Values::Numbers(values) => values.len() == read.rows(),
                Values::Words { codes, .. } => codes.len() == read.rows(),
            };
            prop_assert!(read.columns.iter().all(full));
        }
    }
}
