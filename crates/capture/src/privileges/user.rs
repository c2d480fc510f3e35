//! Which user to become: read from the user database of the machine, without the C library's
//! lookup, which loads plug-ins and asks directories over the network.

use std::fs;

use super::PrivilegeError;

/// Where a machine has no user `nobody`: what Linux calls the overflow user.
const OVERFLOW: u32 = 65_534;

const USERS: &str = "/etc/passwd";

/// A user and the group of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The user that is asked for (a name, `uid` or `uid:gid`), or `nobody`.
pub(super) fn find(asked: Option<&str>) -> Result<User, PrivilegeError> {
    let database = fs::read_to_string(USERS).unwrap_or_default();
    let user = match asked {
        None => by_name(&database, "nobody").unwrap_or(User { uid: OVERFLOW, gid: OVERFLOW }),
        Some(asked) => by_number(&database, asked)
            .or_else(|| by_name(&database, asked))
            .ok_or_else(|| PrivilegeError::NoSuchUser { user: asked.to_owned() })?,
    };
    if user.uid == 0 {
        return Err(PrivilegeError::UserIsRoot { user: asked.unwrap_or("nobody").to_owned() });
    }
    Ok(user)
}

/// `name:password:uid:gid:...`, a line each (passwd(5)).
fn by_name(database: &str, name: &str) -> Option<User> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        found.then_some(User { uid, gid })
    };
    database.lines().find_map(entry)
}

/// `uid:gid`, or `uid` with the group from the database or of the same number.
fn by_number(database: &str, asked: &str) -> Option<User> {
    if let Some((uid, gid)) = asked.split_once(':') {
        return Some(User { uid: uid.parse().ok()?, gid: gid.parse().ok()? });
    }
    let uid: u32 = asked.parse().ok()?;
    let names = database.lines().filter_map(|line| line.split(':').next());
    let entry = names.filter_map(|name| by_name(database, name)).find(|user| user.uid == uid);
    Some(entry.unwrap_or(User { uid, gid: uid }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "root:x:0:0:root:/root:/bin/sh\nbad line\nshort:x:7\n\
                            wardwatch:x:990:991::/var/lib/wardwatch:/usr/sbin/nologin\n";

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let wardwatch = Some(User { uid: 990, gid: 991 });
        assert_eq!(by_name(DATABASE, "wardwatch"), wardwatch);
        assert_eq!(by_number(DATABASE, "990"), wardwatch);
        assert_eq!(by_number(DATABASE, "5:6"), Some(User { uid: 5, gid: 6 }));
        assert_eq!(by_number(DATABASE, "5"), Some(User { uid: 5, gid: 5 }));
        assert_eq!(by_name(DATABASE, "short"), None);
        assert_eq!(by_number(DATABASE, "5:x"), None);
    }

    #[test]
    fn root_is_no_user_to_drop_to_by_any_name() {
        for asked in ["root", "0", "0:0", "0:5"] {
            let refused = find(Some(asked));
            assert!(matches!(refused, Err(PrivilegeError::UserIsRoot { .. })), "{asked}");
        }
        let unknown = find(Some("no-such-user-here"));
        assert!(matches!(unknown, Err(PrivilegeError::NoSuchUser { .. })));
        assert_ne!(find(None).unwrap().uid, 0);
    }
}
