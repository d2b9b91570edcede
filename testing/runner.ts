/** What the paths are tests of: node:test, or vitest where that runs the file. */
export interface Tester {
  /** Reports one path, which is wrong if `verify` rejects. */
  test(name: string, verify: () => Promise<void>): Promise<void>;
  /** Says something about all of them. */
  note(text: string): void;
}

type Walk = (tester: Tester) => Promise<void>;
type AsTests = (name: string, walk: Walk) => void;

/** What is used of vitest, which only those have who use it. */
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

/** Tests have to be known before the first one is run: so the paths are played where they are collected. */
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
