from mtsbench.components import ModelComponent
from mtsbench.hookspecs import hookimpl


@hookimpl
def mtsbench_models():
    for name in ("parts", "unrivalled"):
        yield ModelComponent(
            name=name, summary="x", build=lambda: None, reference="https://example.org/"
        )
