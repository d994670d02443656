def mtsbench_models():
    return ()
