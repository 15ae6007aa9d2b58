// A foreign SOAP server of the tests: npm soap. Order on stdin: {wsdl, service, port, replies: {operation: value}}; a reply
// may name a code to be given when an argument is absent or wrong: {when: {argument: value}, value, otherwise}.
const http = require("http");
const soap = require("soap");

function start(order) {
  const seen = [];
  const operations = {};
  for (const [name, reply] of Object.entries(order.replies)) {
    operations[name] = (given, callback, headers) => {
      seen.push({ name, given, headers });
      const wrong = Object.entries(reply.when || {}).some(([key, value]) => given[key] !== value);
      if (wrong && reply.fault) throw reply.fault;
      return wrong ? reply.otherwise : reply.value;
    };
  }
  const server = http.createServer((request, response) => {
    if (request.url === "/seen") response.end(JSON.stringify(seen));
    else { response.statusCode = 404; response.end(); }
  });
  server.listen(0, "127.0.0.1", () => {
    soap.listen(server, "/soap", { [order.service]: { [order.port]: operations } }, order.wsdl, () =>
      console.log(JSON.stringify({ port: server.address().port })));
  });
}

let text = "";
process.stdin.on("data", (piece) => {
  text += piece;
  if (text.endsWith("\n\n")) start(JSON.parse(text));
});
