"""A loopback server that speaks HTTP/2 from the first byte, and answers every request alike."""

import socket
import threading

import h2.config
import h2.connection
import h2.events


class H2Server:
    """A server on 127.0.0.1 while its `with` block lasts."""

    def __init__(self, body):
        self.body, self.requests = body, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the block is over
            with connection:
                self._converse(connection)

    def _converse(self, connection):
        config = h2.config.H2Configuration(client_side=False)
        spoken = h2.connection.H2Connection(config=config)
        spoken.initiate_connection()
        connection.sendall(spoken.data_to_send())
        while data := connection.recv(1 << 16):
            for event in spoken.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.requests.append(dict(event.headers))
                elif isinstance(event, h2.events.StreamEnded):
                    headers = [(":status", "200"), ("content-type", "application/json")]
                    spoken.send_headers(event.stream_id, headers)
                    spoken.send_data(event.stream_id, self.body, end_stream=True)
            connection.sendall(spoken.data_to_send())
