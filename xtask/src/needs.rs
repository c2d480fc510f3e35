//! What the tests need beside Rust, and getting it where it is missing.
//!
//! Only Debian's and Ubuntu's package names are known here. Elsewhere, and without root, it says
//! what is missing and leaves the rest to the person.

use crate::Outcome;
use crate::run::{command, find, output, run};

/// A program, the package that brings it and what needs it.
struct Need {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

static NEEDS: &[Need] = &[
    Need { program: "cc", package: "gcc", why: "SQLite and zstd are compiled from C" },
    Need { program: "g++", package: "g++", why: "libFuzzer is compiled from C++" },
    Need {
        program: "ip",
        package: "iproute2",
        why: "live capture is tested between two network namespaces",
    },
    Need {
        program: "dcmqrscp",
        package: "dcmtk",
        why: "the live test runs a real image archive and real modalities",
    },
    Need {
        program: "mosquitto",
        package: "mosquitto",
        why: "the live test runs a real message broker",
    },
    Need {
        program: "mosquitto_pub",
        package: "mosquitto-clients",
        why: "the live test's pumps publish with it",
    },
    Need { program: "nmap", package: "nmap", why: "the live test scans with it" },
    Need { program: "nft", package: "nftables", why: "restrictions are tested in a real kernel" },
    Need {
        program: "hydra",
        package: "hydra",
        why: "passwords are guessed with it in the lab of responses",
    },
    Need {
        program: "setpriv",
        package: "util-linux",
        why: "hosts of the lab of responses run without rights",
    },
    Need {
        program: "ping",
        package: "iputils-ping",
        why: "the tests of restrictions ask who reaches whom",
    },
    Need {
        program: "freeradius",
        package: "freeradius",
        why: "changes of authorisation are tested against a real server",
    },
    Need {
        program: "radclient",
        package: "freeradius-utils",
        why: "our RADIUS packets are held against those of another program",
    },
    Need {
        program: "ovs-ofctl",
        package: "openvswitch-common",
        why: "flows are tested in a real switch",
    },
    Need {
        program: "ovs-vsctl",
        package: "openvswitch-switch",
        why: "the switch of the tests is set up with it",
    },
    Need {
        program: "ethtool",
        package: "ethtool",
        why: "hosts behind the switch of the tests make their own checksums",
    },
    Need {
        program: "openssl",
        package: "openssl",
        why: "certificates for the tests of webhooks are made with it",
    },
    Need {
        program: "valgrind",
        package: "valgrind",
        why: "instructions are counted under it, so that a dearer stage is seen",
    },
    Need { program: "mkfifo", package: "coreutils", why: "captures are read from a pipe" },
];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed: what, why it is needed and what to type.
pub(crate) fn install() -> Outcome {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| find(need.program).is_none()).collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    for need in &missing {
        println!("{} is missing: {}", need.program, need.why);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let line = packages.join(" ");
    if find("apt-get").is_none() {
        return Err(format!(
            "install {line} (Debian's names of the packages), then run this again"
        ));
    }
    if output(&mut command("id", &["-u"]))?.trim() != "0" {
        return Err(format!(
            "needs root to install packages: run 'sudo apt-get install {line}', then this again"
        ));
    }
    run(command("apt-get", &["update", "-q"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let fixed = ["install", "-y", "-q", "--no-install-recommends"];
    let arguments: Vec<&str> = fixed.into_iter().chain(packages).collect();
    run(command("apt-get", &arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}
