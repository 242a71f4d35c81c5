// Preloaded into the conformance suite, whose servers listen on all interfaces: keeps them on 127.0.0.1.
import { Server } from 'node:net';

const listen = Server.prototype.listen;

Server.prototype.listen = function (...args) {
  const [port, host] = args;
  if (typeof port !== 'number' || typeof host === 'string') {
    return listen.apply(this, args);
  }
  const listening = args.find((each) => typeof each === 'function');
  if (listening !== undefined) {
    this.once('listening', listening);
  }
  // Not `listen(port, host)`: that resolves the host in a later turn, and the suite asks for the port in this one.
  this._listen2('127.0.0.1', port, 4, 511);
  return this;
};
