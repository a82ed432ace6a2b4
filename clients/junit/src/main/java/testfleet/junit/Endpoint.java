package testfleet.junit;

import java.net.InetSocketAddress;

/** Where a test reaches a port of a server. */
public record Endpoint(String host, int port) {
    /** Returns an address for sockets. */
    public InetSocketAddress address() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
