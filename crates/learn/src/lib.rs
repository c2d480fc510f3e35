//! What is normal: profiles of devices, learned, saved and asked.
