use super::*;
use Outcome::{Failure, Logoff, Success};
use proptest::prelude::*;

type Expected = Option<(Outcome, Option<&'static str>, Origin<'static>)>;

const NOWHERE: Origin<'static> = Origin::Unknown;

fn at(address: &'static str) -> Origin<'static> {
    Origin::Remote(address)
}

#[test]
fn lines_of_real_programs_are_read_once_an_attempt() {
    let cases: &[(&str, &str, Expected)] = &[
        (
            "sshd",
            "Failed password for root from 10.0.0.5 port 4022 ssh2",
            Some((Failure, Some("root"), at("10.0.0.5"))),
        ),
        (
            "sshd",
            "Failed none for invalid user  from 10.0.0.5 port 4022 ssh2",
            Some((Failure, None, at("10.0.0.5"))),
        ),
        (
            "sshd",
            "Accepted password for dr 1 from 10.0.0.5 port 1 ssh2",
            Some((Success, Some("dr 1"), at("10.0.0.5"))),
        ),
        // The name that was tried holds words of the program: the last ones count.
        (
            "sshd",
            "Failed password for invalid user a from 1.1.1.1 port 1 from 10.0.0.5 port 2 ssh2",
            Some((Failure, Some("a from 1.1.1.1 port 1"), at("10.0.0.5"))),
        ),
        (
            "sshd",
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost=10.0.0.5  user=root",
            None,
        ),
        ("sshd", "pam_unix(sshd:session): session opened for user bob by (uid=0)", None),
        (
            "sshd",
            "pam_unix(sshd:session): session closed for user bob",
            Some((Logoff, Some("bob"), NOWHERE)),
        ),
        ("sshd", "Invalid user webmaster from 10.0.0.5", None),
        ("sshd", "Received disconnect from 10.0.0.5: 11: Bye Bye [preauth]", None),
        (
            "sshd",
            "PAM 5 more authentication failures; logname= uid=0 rhost=10.0.0.5  user=root",
            None,
        ),
        (
            "sshd(pam_unix)",
            "authentication failure; logname= uid=0 tty=NODEVssh ruser= rhost=10.0.0.5  user=root",
            Some((Failure, Some("root"), at("10.0.0.5"))),
        ),
        (
            "su(pam_unix)",
            "session opened for user news by (uid=0)",
            Some((Success, Some("news"), Origin::Local)),
        ),
        (
            "su",
            "pam_unix(su-l:auth): authentication failure; logname=a uid=1 tty=pts/0 ruser=bob rhost=  user=root",
            Some((Failure, Some("root"), Origin::Local)),
        ),
        ("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", None),
        (
            "sudo",
            "  bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
            Some((Success, Some("bob"), Origin::Local)),
        ),
        (
            "sudo",
            "bob : 3 incorrect password attempts ; TTY=pts/0 ; USER=root ; COMMAND=/bin/sh",
            Some((Failure, Some("bob"), Origin::Local)),
        ),
        (
            "dropbear",
            "Bad password attempt for 'root' from 10.0.0.5:4022",
            Some((Failure, Some("root"), at("10.0.0.5"))),
        ),
        (
            "dropbear",
            "Pubkey auth succeeded for 'root' with key sha1 aa:bb from 10.0.0.5:4022",
            Some((Success, Some("root"), at("10.0.0.5"))),
        ),
        (
            "login",
            "FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
            Some((Failure, Some("root"), Origin::Local)),
        ),
        (
            "login",
            "FAILED LOGIN 2 FROM 10.0.0.5 FOR bob, Authentication failure",
            Some((Failure, Some("bob"), at("10.0.0.5"))),
        ),
        (
            "login",
            "invalid password for 'root' on 'pts/0' from '10.0.0.5'",
            Some((Failure, Some("root"), at("10.0.0.5"))),
        ),
        ("login", "root login on 'pts/0'", Some((Success, Some("root"), Origin::Local))),
        (
            "vsftpd",
            "[bob] FAIL LOGIN: Client \"10.0.0.5\"",
            Some((Failure, Some("bob"), at("10.0.0.5"))),
        ),
        (
            "ftpd",
            "ANONYMOUS FTP LOGIN FROM 10.0.0.5,  (anonymous)",
            Some((Success, Some("anonymous"), at("10.0.0.5"))),
        ),
        ("ftpd", "connection from 10.0.0.5 () at Sun Jul 10 03:55:15 2005", None),
        (
            "httpd",
            "login failed for user 'admin' from 10.0.0.5",
            Some((Failure, Some("admin"), at("10.0.0.5"))),
        ),
        (
            "pacs",
            "Authentication failed: user=viewer ip=10.0.0.5:443",
            Some((Failure, Some("viewer"), at("10.0.0.5"))),
        ),
        (
            "mssql",
            "Login failed for user 'sa'. Reason: bad password [CLIENT: 10.0.0.5]",
            Some((Failure, Some("sa"), at("10.0.0.5"))),
        ),
        ("ris", "User dr1 logged in from 10.0.0.5", Some((Success, Some("dr1"), at("10.0.0.5")))),
        ("ris", "User dr1 logged out", Some((Logoff, Some("dr1"), NOWHERE))),
        ("ris", "patient Jane logged in late", Some((Success, None, NOWHERE))),
        ("ris", "no users are not logged in", None),
        ("monitor", "alarm limits ok", None),
        ("%ASA-6-605004", "Login denied", None),
        (
            "",
            "An account failed to log on. Subject: Account Name: HOST$ Account For Which Logon Failed: Account Name: bob Account Domain: X Source Network Address: 10.0.0.5 Source Port: 0",
            Some((Failure, Some("bob"), at("10.0.0.5"))),
        ),
        (
            "x",
            "An account was successfully logged on. Logon Type: 5 New Logon: Account Name: SYSTEM",
            None,
        ),
        (
            "x",
            "EventID=4624 TargetUserName=bob IpAddress=::ffff:10.0.0.5 LogonType=3",
            Some((Success, Some("bob"), at("10.0.0.5"))),
        ),
    ];
    for (app, text, expected) in cases {
        let found = recognise(app, "", text).map(|logon| (logon.outcome, logon.user, logon.from));
        assert_eq!(found, *expected, "{app}: {text}");
    }
}

#[test]
fn joined_lines_count_as_often_as_they_came() {
    let logon = recognise(
        "sshd",
        "",
        "message repeated 5 times: [ Failed password for root from 10.0.0.5 port 1 ssh2]",
    );
    assert_eq!(logon.map(|logon| logon.count), Some(5));
}

proptest! {
    #[test]
    fn any_text_is_read(app in ".{0,12}", data in ".{0,60}", text in ".{0,200}") {
        let _ = recognise(&app, &data, &text);
    }

    #[test]
    fn any_mixture_of_the_programs_own_words_is_read(
        app in prop::sample::select(vec!["sshd", "sudo", "login", "su", "vsftpd", "dropbear", "x"]),
        words in prop::collection::vec(prop::sample::select(vec![
            "Failed", "password", "for", "from", "[", "]", "user", "user=", "\"", "'", " : ", "COMMAND=",
            "pam_unix(", ":", "): ", "FAILED LOGIN ", " FOR ", "BY", "10.0.0.1", "login failed", "ü",
            "Account Name:", "An account failed to log on", "EventID=4624", "message repeated ", " times: [",
        ]), 0..14),
    ) {
        let _ = recognise(app, "", &words.join(" "));
        let _ = recognise(app, "", &words.concat());
    }
}
