"""The web page: what a person sees who never opens a terminal; it stands on the server's own address."""
