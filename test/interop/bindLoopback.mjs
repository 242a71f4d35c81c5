// Preloaded into the conformance suite: its servers would listen on all interfaces, and this binds them to 127.0.0.1.
import { Server } from 'node:net';

const listen = Server.prototype.listen;

Server.prototype.listen = function (...args) {
  const [port, host] = args;
  if (typeof port !== 'number' || typeof host === 'string') {
    return listen.apply(this, args);
  }
  const onListening = args.find((each) => typeof each === 'function');
  if (onListening !== undefined) {
    this.once('listening', onListening);
  }
  // Not `listen(port, host)`, which resolves the host asynchronously: the suite reads the port at once.
  this._listen2('127.0.0.1', port, 4, 511);
  return this;
};
