package orders;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Orders in a Redis server, by its URL. */
public record Store(URI server) {
    /** Stores an order, and returns the number of orders. */
    public int add(String order) throws IOException {
        String password = server.getUserInfo().split(":", 2)[1];
        try (Socket socket = new Socket(server.getHost(), server.getPort())) {
            String requests = "AUTH " + password + "\r\nRPUSH orders " + order + "\r\n";
            socket.getOutputStream().write(requests.getBytes(StandardCharsets.UTF_8));
            var answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            answers.readLine();
            return Integer.parseInt(answers.readLine().substring(1));
        }
    }
}
