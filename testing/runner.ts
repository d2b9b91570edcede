/** The test runner of the paths: node:test, or vitest if it runs the file. */
export interface Tester {
  /** Reports one path. It fails if `verify` rejects. */
  test(name: string, verify: () => Promise<void>): Promise<void>;
  /** Prints a message about all paths. */
  note(text: string): void;
}

type Walk = (tester: Tester) => Promise<void>;
type AsTests = (name: string, walk: Walk) => void;

/** The part of vitest that is used. Only users of vitest have it installed. */
interface Vitest {
  describe(name: string, body: () => Promise<void>): void;
  test(name: string, body: () => void): void;
}

const ofNode = async (): Promise<AsTests> => {
  const { test } = await import('node:test');
  return (name, walk) =>
    void test(name, (t) =>
      walk({ test: async (path, verify) => void (await t.test(path, verify)), note: (text) => t.diagnostic(text) }),
    );
};

/** vitest must know all tests before the first one runs, so the paths run during collection. */
const ofVitest = async (): Promise<AsTests> => {
  const name: string = 'vitest';
  const { describe, test } = (await import(name)) as Vitest;
  const report = (path: string, error?: { readonly thrown: unknown }): void =>
    test(path, () => {
      if (error !== undefined) throw error.thrown;
    });
  return (workflow, walk) =>
    describe(workflow, async () => {
      const verified = async (path: string, verify: () => Promise<void>): Promise<void> => {
        try {
          await verify();
          report(path);
        } catch (thrown) {
          report(path, { thrown });
        }
      };
      try {
        await walk({ test: verified, note: (text) => console.info(`${workflow}: ${text}`) });
      } catch (thrown) {
        report('its paths', { thrown });
      }
    });
};

export const asTests: AsTests = await (process.env.VITEST === undefined ? ofNode() : ofVitest());
