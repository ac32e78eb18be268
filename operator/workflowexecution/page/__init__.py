"""The status page: the data of `kubectl wfe` in a browser; read-only, and off by default.

`page` joins the parts, and the operator starts and stops it. `server` answers requests, `gate`
checks identity and rights of visitors, `sources` reads from the cluster, `overview` and `story`
turn facts into values, and `rendering` turns these into HTML.
"""
