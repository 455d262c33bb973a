//! Lines, columns and encodings: the only place where they are turned into bytes.
