//! System calls on packet sockets, and questions about interfaces (packet(7), netdevice(7)).

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::check;

/// A packet socket that belongs to no interface yet and therefore sees nothing.
pub(crate) fn open(kind: libc::c_int) -> io::Result<OwnedFd> {
    let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes only numbers.
    let fd = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
    // SAFETY: the descriptor is new and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an option of the packet level to a value that the kernel copies.
pub(crate) fn set<T: Copy>(fd: BorrowedFd<'_>, option: libc::c_int, value: &T) -> io::Result<()> {
    set_at(fd, libc::SOL_PACKET, option, value)
}

fn set_at<T: Copy>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    let from = std::ptr::from_ref(value).cast();
    // SAFETY: `from` points to `len` bytes that outlive the call, which only reads them.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, from, len) }).map(drop)
}

/// Reads an option that is made of `N` numbers of 32 bits.
pub(crate) fn get<const N: usize>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
) -> io::Result<[u32; N]> {
    let mut value = [0_u32; N];
    let mut len = size_of_val(&value) as libc::socklen_t;
    let into = value.as_mut_ptr().cast();
    // SAFETY: `into` points to `len` writable bytes, and any bytes are a valid array of numbers.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, option, into, &raw mut len) })?;
    Ok(value)
}

/// Lets a socket see the first `bytes` of every packet; 0 for no packet at all.
pub(crate) fn keep_first(fd: BorrowedFd<'_>, bytes: u32) -> io::Result<()> {
    // One instruction: return a constant (BPF_RET | BPF_K).
    let mut program = [libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: bytes }];
    let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
    // `program` outlives the call, which copies it.
    set_at(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
}

/// Begins to see what passes on interface number `index`, of every protocol.
pub(crate) fn bind(fd: BorrowedFd<'_>, index: i32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let len = size_of_val(&address) as libc::socklen_t;
    let from = (&raw const address).cast();
    // SAFETY: `from` points to `len` bytes that outlive the call, which only reads them.
    check(unsafe { libc::bind(fd.as_raw_fd(), from, len) }).map(drop)
}

/// Waits until there is something to read or an error; the events, none in time or on a signal.
pub(crate) fn wait(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<libc::c_short> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let millis = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: `poll` is one writable element that outlives the call.
    match check(unsafe { libc::poll(&raw mut poll, 1, millis) }) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        Err(_) | Ok(0) => Ok(0),
        Ok(_) => Ok(poll.revents),
    }
}

/// `struct ifreq` as bytes: a name, and an answer of up to 24 bytes.
#[repr(C, align(8))]
struct InterfaceRequest {
    name: [u8; libc::IFNAMSIZ],
    answer: [u8; 24],
}

impl InterfaceRequest {
    fn named(name: &str) -> io::Result<Self> {
        let mut request = Self { name: [0; libc::IFNAMSIZ], answer: [0; 24] };
        // One byte stays for the zero at the end.
        match request.name[..libc::IFNAMSIZ - 1].get_mut(..name.len()) {
            Some(place) if !name.is_empty() && !name.contains('\0') => {
                place.copy_from_slice(name.as_bytes());
                Ok(request)
            }
            _ => Err(io::Error::from_raw_os_error(libc::ENODEV)),
        }
    }

    fn ask(&mut self, fd: BorrowedFd<'_>, question: libc::Ioctl) -> io::Result<()> {
        let request = std::ptr::from_mut(self);
        // SAFETY: the questions asked here fill one `struct ifreq`, which is not longer than this.
        check(unsafe { libc::ioctl(fd.as_raw_fd(), question, request) }).map(drop)
    }

    fn number(&self) -> i32 {
        let [a, b, c, d, ..] = self.answer;
        i32::from_ne_bytes([a, b, c, d])
    }

    fn short(&self) -> u16 {
        let [a, b, ..] = self.answer;
        u16::from_ne_bytes([a, b])
    }
}

/// The number of the interface with a name; `ENODEV` where there is none.
pub(crate) fn interface_index(fd: BorrowedFd<'_>, name: &str) -> io::Result<i32> {
    let mut request = InterfaceRequest::named(name)?;
    request.ask(fd, libc::SIOCGIFINDEX as libc::Ioctl)?;
    Ok(request.number())
}

/// The name that the interface of a number has now; `ENODEV` where there is none.
pub(crate) fn interface_name(fd: BorrowedFd<'_>, index: i32) -> io::Result<String> {
    let mut request = InterfaceRequest { name: [0; libc::IFNAMSIZ], answer: [0; 24] };
    request.answer[..4].copy_from_slice(&index.to_ne_bytes());
    request.ask(fd, libc::SIOCGIFNAME as libc::Ioctl)?;
    let name = request.name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// Whether the interface of a name is up.
pub(crate) fn is_up(fd: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
    let mut request = InterfaceRequest::named(name)?;
    request.ask(fd, libc::SIOCGIFFLAGS as libc::Ioctl)?;
    Ok(libc::c_int::from(request.short()) & libc::IFF_UP != 0)
}

/// The kind of hardware of the interface of a name, as an `ARPHRD_` number.
pub(crate) fn hardware(fd: BorrowedFd<'_>, name: &str) -> io::Result<u16> {
    let mut request = InterfaceRequest::named(name)?;
    request.ask(fd, libc::SIOCGIFHWADDR as libc::Ioctl)?;
    Ok(request.short())
}

/// The names of all interfaces, in the order of their numbers.
pub(crate) fn interface_names() -> io::Result<Vec<String>> {
    // SAFETY: takes nothing, and returns null or a list to be freed below.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut names = Vec::new();
    let mut entry = list;
    loop {
        // SAFETY: the list ends with an entry of number 0, and `entry` is not past it.
        let libc::if_nameindex { if_index, if_name } = unsafe { *entry };
        if if_index == 0 || if_name.is_null() {
            break;
        }
        // SAFETY: the name of an entry is a string that ends with a zero and lives with the list.
        let name = unsafe { CStr::from_ptr(if_name) };
        names.push(name.to_string_lossy().into_owned());
        // SAFETY: this entry was not the last, so there is one after it.
        entry = unsafe { entry.add(1) };
    }
    // SAFETY: the list came from `if_nameindex`, and nothing borrows from it any more.
    unsafe { libc::if_freenameindex(list) };
    Ok(names)
}
