"""The status page: what `kubectl wfe` tells, for a browser; read-only, and off by default.

`page` joins the parts and is what the operator holds. `server` answers requests, `gate` says who
may see what, `sources` reads what is not known yet, `overview` and `story` make values of it, and
`rendering` makes HTML of those.
"""
