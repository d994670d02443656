"""What a finished run shows: terminal tables and a page that opens offline."""
