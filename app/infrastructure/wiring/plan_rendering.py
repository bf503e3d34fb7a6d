"""How the index renders plans: as the HTTP adapter answers them."""

from app.adapters.inbound.http.search.plan_json import parse_plan, plan_key, plan_prefix, render_plan
from app.adapters.outbound.search_index.rendering import Rendering

RENDERING = Rendering(render_plan, plan_prefix, parse_plan, plan_key)
