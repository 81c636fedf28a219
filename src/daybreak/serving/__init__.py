"""The HTTP API: pictures in, brighter pictures out, within limits; loopback unless told otherwise."""
