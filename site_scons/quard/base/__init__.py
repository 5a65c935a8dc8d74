"""What every part uses: errors, canonical JSON, files, tables."""
