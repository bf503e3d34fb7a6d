"""Keys that are no secret: for pages of which origins, and for which types."""

from alembic import op
from sqlalchemy import Text

from app.adapters.outbound.sql.frozen_columns import optional

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    origins = optional("origins", Text, comment="Of a publishable key, joined by spaces; null: it is a secret one.")
    op.add_column("api_keys", origins)
    types = optional("types", Text, comment="What a publishable key may post, joined by spaces; null: any type.")
    op.add_column("api_keys", types)
