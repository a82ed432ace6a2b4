import redis


def test_an_order_is_stored(fleet):
    cache = redis.Redis.from_url(fleet["cache"].exports["REDIS_URL"])
    cache.rpush("orders", "tea")
    assert cache.lrange("orders", 0, -1) == [b"tea"]


def test_a_lease_has_no_orders_of_other_tests(lease):
    cache = redis.Redis.from_url(lease("cache").exports["REDIS_URL"])
    assert cache.dbsize() == 0
    cache.rpush("orders", "coffee")
