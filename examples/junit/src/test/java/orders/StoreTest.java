package orders;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import org.junit.jupiter.api.Test;
import testfleet.junit.*;

@Fleet("testfleet.yaml")
class StoreTest {
    @Test
    void anOrderIsStored(@FleetServer("cache") Server cache) throws Exception {
        assertEquals(1, new Store(URI.create(cache.export("REDIS_URL"))).add("tea"));
    }

    @Test
    void aLeaseHasNoOrdersOfOtherTests(@Lease("cache") Server cache) throws Exception {
        assertEquals(1, new Store(URI.create(cache.export("REDIS_URL"))).add("coffee"));
    }
}
