//! Words of commands that several layers ask about.
