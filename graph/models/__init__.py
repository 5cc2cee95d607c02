from graph.models.collaboration import Collaboration
from graph.models.slice import GraphSlice

__all__ = ["Collaboration", "GraphSlice"]
