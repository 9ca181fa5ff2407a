"""The contract's messages and stubs, made by gen.sh from proto/tandem/v1."""
