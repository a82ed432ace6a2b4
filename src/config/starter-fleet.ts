/** What `testfleet init` writes: a fleet that comes up as it is, with the next steps beside it. */
export const starterFleet = `# A fleet of real test servers. Every key: testfleet schema
base:
  from: debian:bookworm-slim

servers:
  web:
    build:
      packages: [nginx-light]
      copy:
        - { content: "hello from testfleet\\n", to: /var/www/html/index.html }
    command: [nginx, -g, daemon off;]
    ports: [80]
    ready:
      - http: { port: 80, path: /, body: hello }
    export:
      WEB_URL: http://\${host}:\${port.80}/

  cache:
    build:
      packages: [redis-server]
    command: [redis-server, --bind, 0.0.0.0, --protected-mode, "no", --save, ""]
    ports: [6379]
    ready:
      - tcp: { port: 6379, send: "PING\\r\\n", expect: "+PONG" }

# Try it:
#   testfleet up                       start it, and print where it answers
#   testfleet run -- sh -c 'curl "$WEB_URL"'
#   testfleet down                     remove it
`
