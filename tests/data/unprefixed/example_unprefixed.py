from mtsbench.hookspecs import hookimpl


@hookimpl
def models():
    return ()
