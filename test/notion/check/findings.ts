import { contract, type Shape } from '../contract.ts';
import { differences, type Expected, shapeOf } from './shape.ts';

export interface Finding {
  result: 'agrees' | 'differs' | 'not seen';
  /** How it differs, without any value that the server sent. */
  detail?: string;
}

/** What a check found out about each shape of the contract. */
export class Findings {
  readonly #findings = new Map<Shape, Finding>();

  of(shape: Shape): Finding {
    return this.#findings.get(shape) ?? { result: 'not seen' };
  }

  agrees(shape: Shape): void {
    if (!this.#findings.has(shape)) {
      this.#findings.set(shape, { result: 'agrees' });
    }
  }

  /** Records a difference. The first one of a shape is kept. */
  differs(shape: Shape, detail: string): void {
    if (this.of(shape).result !== 'differs') {
      this.#findings.set(shape, { result: 'differs', detail });
    }
  }

  /** Compares what came with what is expected. */
  compare(shape: Shape, expected: Expected, actual: unknown): void {
    const found = differences(expected, actual);
    if (found.length === 0) {
      this.agrees(shape);
    } else {
      this.differs(shape, `${found.join('; ')}. Came: ${shapeOf(actual)}`);
    }
  }

  /** Compares the status and the JSON of a response. */
  compareResponse(shape: Shape, status: number, expected: Expected, response: { status: number; json: unknown }): void {
    if (response.status === status) {
      this.compare(shape, expected, response.json);
    } else {
      this.differs(shape, `status ${response.status}. Came: ${shapeOf(response.json)}`);
    }
  }
}

/** The findings as a table to paste into an issue. */
export function findingsTable(findings: Findings): string {
  const rows = contract.map(({ shape, kind }) => {
    const { result, detail } = findings.of(shape);
    return `| ${shape} | ${kind} | ${detail === undefined ? result : `${result}: ${detail.replaceAll('|', '\\|')}`} |`;
  });
  return ['| Shape | Known | Here |', '| --- | --- | --- |', ...rows].join('\n');
}
