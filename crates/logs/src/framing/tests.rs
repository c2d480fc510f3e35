use super::*;
use proptest::prelude::*;

fn records(input: &[u8]) -> (Vec<(String, u64, u64)>, u64) {
    let mut records = Records::new(input, Framing::of(input));
    let mut seen = Vec::new();
    while let Some(record) = records.next_record().unwrap() {
        let text = String::from_utf8_lossy(record.bytes).into_owned();
        seen.push((text, record.offset, record.line));
    }
    (seen, records.too_long())
}

fn texts(input: &str) -> Vec<String> {
    records(input.as_bytes()).0.into_iter().map(|(text, ..)| text).collect()
}

#[test]
fn each_framing_is_told_from_the_start() {
    let cases = [
        ("<13>1 - h a - - - x\n", Framing::Lines),
        ("20 <13>1 - h a - - - x", Framing::Octets),
        ("{\"a\":1}\n{\"a\":2}\n", Framing::Lines),
        ("{\n \"a\":1}", Framing::Json),
        (" [\n{\"a\":1}]", Framing::Json),
        ("[{\"a\":1},", Framing::Json),
        ("[Sun Dec 04 04:47:44 2005] [notice] x\n", Framing::Lines),
        ("2016-09-28 04:30:30, Info", Framing::Lines),
    ];
    for (start, expected) in cases {
        assert_eq!(Framing::of(start.as_bytes()), expected, "{start}");
    }
}

#[test]
fn lines_have_their_place_and_empty_ones_are_passed_over() {
    let (seen, _) = records(b"one\r\n\n\ntwo\nthree");
    let expected = [("one", 0, 1), ("two", 7, 4), ("three", 11, 5)];
    assert_eq!(seen, expected.map(|(text, offset, line)| (text.to_owned(), offset, line)));
}

#[test]
fn octet_counted_frames_may_hold_line_ends() {
    assert_eq!(texts("8 <13>a\nbc5 <13>d\n6 <13>ef"), ["<13>a\nbc", "<13>d", "<13>ef"]);
}

#[test]
fn a_wrong_length_costs_a_line_and_not_the_file() {
    assert_eq!(texts("6 <13>ab<14>lost\n6 <13>cd"), ["<13>ab", "<14>lost", "<13>cd"]);
    assert_eq!(texts("99 <13>cut"), ["<13>cut"]);
}

#[test]
fn json_values_over_lines_and_in_arrays_come_one_by_one() {
    assert_eq!(
        texts("[\n{\"a\": \"}{\\\"\",\n \"b\": {}},\n {\"c\": 1}\n]\n"),
        ["{\"a\": \"}{\\\"\",\n \"b\": {}}", "{\"c\": 1}"]
    );
}

#[test]
fn a_record_past_the_cap_is_passed_over_and_counted() {
    let mut input = b"first\n".to_vec();
    input.extend(std::iter::repeat_n(b'x', MAX_RECORD + 10));
    input.extend(b"\nlast\n");
    let (seen, too_long) = records(&input);
    assert_eq!(seen.iter().map(|(text, ..)| text.as_str()).collect::<Vec<_>>(), ["first", "last"]);
    assert_eq!(too_long, 1);
    assert_eq!(seen[1].2, 3);
    let mut json = b"[{\"a\":\"".to_vec();
    json.extend(std::iter::repeat_n(b'x', MAX_RECORD + 10));
    json.extend(b"\"},{\"b\":1}]");
    let (seen, too_long) = records(&json);
    assert_eq!((seen.len(), too_long), (1, 1));
}

proptest! {
    /// However the bytes come from the disk, the records are the same.
    #[test]
    fn cuts_change_nothing(
        input in prop::collection::vec(
            prop::sample::select(b"{}[]\",\\\n 0123456789<ab".to_vec()), 0..200),
        size in 1_usize..9,
    ) {
        let whole = records(&input).0;
        let cut = io::BufReader::with_capacity(size, input.as_slice());
        let mut records = Records::new(cut, Framing::of(&input));
        // A length that is cut by the end of a buffer cannot be seen whole.
        prop_assume!(records.framing != Framing::Octets);
        let mut seen = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            seen.push((String::from_utf8_lossy(record.bytes).into_owned(), record.offset, record.line));
        }
        prop_assert_eq!(seen, whole);
    }
}
