from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl


@hookimpl
def mtsbench_models():
    yield Component(name="plain", summary="x", build=lambda: None, reference="https://example.org/")
