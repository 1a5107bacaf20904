"""What people run on a computer. A regular package: some distributions install a `tools` of their own."""
