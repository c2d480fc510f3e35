//! Where packets come from: capture files and live AF_PACKET rings.
