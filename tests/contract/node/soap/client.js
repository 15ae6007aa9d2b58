// A foreign SOAP client of the tests: npm soap. Reads one JSON order, writes one JSON list.
const soap = require("soap");

async function main(order) {
  const client = await soap.createClientAsync(order.wsdl, { forceSoap12Headers: Boolean(order.soap12) });
  if (order.header) {
    const { name, namespace, values } = order.header;
    const inner = Object.entries(values).map(([key, text]) => `<${key}>${text}</${key}>`).join("");
    client.addSoapHeader(`<${name} xmlns="${namespace}">${inner}</${name}>`);
  }
  const said = [];
  for (const [name, values] of order.calls) {
    try {
      const options = order.attachment ? { forceMTOM: true, attachments: order.attachment.map(
        (one) => ({ mimetype: one.type, contentId: one.id, name: one.id, body: Buffer.from(one.body, "base64") })) } : {};
      const [result] = await client[`${name}Async`](values, options);
      said.push(result);
    } catch (error) {
      const fault = error.root && error.root.Envelope && error.root.Envelope.Body && error.root.Envelope.Body.Fault;
      said.push({ fault: fault || String(error) });
    }
  }
  process.stdout.write(JSON.stringify(said));
}

let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", () => main(JSON.parse(text)).catch((error) => {
  console.error(String(error));
  process.exit(1);
}));
