package orders

import (
	"testing"

	"testfleet"
)

func TestMain(m *testing.M) { testfleet.Main(m, "testfleet.yaml") }

func TestAnOrderIsStored(t *testing.T) {
	store := Store{testfleet.Share(t).Server("cache").Export("REDIS_URL")}
	if count, err := store.Add("tea"); count != 1 || err != nil {
		t.Error(count, err)
	}
}

func TestALeaseHasNoOrdersOfOtherTests(t *testing.T) {
	store := Store{testfleet.Lease(t, "cache").Export("REDIS_URL")}
	if count, err := store.Add("coffee"); count != 1 || err != nil {
		t.Error(count, err)
	}
}
