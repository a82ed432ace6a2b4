// Package orders stores orders in a Redis server.
package orders

import (
	"fmt"
	"net"
	"net/url"
)

// Store is a Redis server by its URL.
type Store struct{ URL string }

// Add stores an order, and returns the number of orders.
func (s Store) Add(order string) (count int, err error) {
	server, err := url.Parse(s.URL)
	if err != nil {
		return 0, err
	}
	connection, err := net.Dial("tcp", server.Host)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	password, _ := server.User.Password()
	fmt.Fprintf(connection, "AUTH %s\r\nRPUSH orders %s\r\n", password, order)
	_, err = fmt.Fscanf(connection, "+OK\r\n:%d\r\n", &count)
	return count, err
}
