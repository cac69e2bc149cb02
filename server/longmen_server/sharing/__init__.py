"""Sharing (分账): merchants pass parts of what orders brought on to other merchants."""
