"""What wheels ask of others: their ELF files read, and the needs derived from them."""
