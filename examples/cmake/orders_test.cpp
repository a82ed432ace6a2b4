// Stores an order in memcached, or checks that there is none.
#include <cstdlib>
#include <iostream>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

// Sends a line of memcached's protocol, and returns the first line of the answer.
static std::string ask(const std::string &request) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const char *host = getenv("TESTFLEET_CACHE_HOST"), *port = getenv("TESTFLEET_CACHE_PORT");
  if (!host || !port || getaddrinfo(host, port, &hints, &found) != 0) return "there is no server";
  std::string answer;
  int server = socket(found->ai_family, found->ai_socktype, 0);
  if (connect(server, found->ai_addr, found->ai_addrlen) == 0 && write(server, request.data(), request.size()) > 0)
    for (char next; read(server, &next, 1) == 1 && next != '\r';) answer += next;
  close(server);
  freeaddrinfo(found);
  return answer;
}

int main(int, char **arguments) {
  bool stores = arguments[1] == std::string("store");
  std::string answer = ask(stores ? "set order 0 0 3\r\ntea\r\n" : "get order\r\n");
  std::cout << answer << "\n";
  return answer == (stores ? "STORED" : "END") ? 0 : 1;
}
