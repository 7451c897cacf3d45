//! The Hub client against a fake Hub on a raw socket.

#![allow(clippy::print_stderr)]

mod access;
mod common;
mod downloads;
mod leaks;
mod managing;
mod mirrors;
mod packages;
mod partial;
mod proxies;
mod python;
mod roots;
mod survival;
mod tokens;
