//! Holds no code: the whole-system tests are in `tests/`.
