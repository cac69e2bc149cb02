"""One interceptor per concern; `longmen_server.transport.chain.ORDER` says how they stand."""
