import { Enums, init as initCore, RenderingEngine, type StackViewport } from "@cornerstonejs/core";
import dicomImageLoader from "@cornerstonejs/dicom-image-loader";
import {
  addTool,
  init as initTools,
  LengthTool,
  PanTool,
  StackScrollTool,
  Enums as ToolEnums,
  ToolGroupManager,
  utilities,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";

const TOOLS = [WindowLevelTool, ZoomTool, PanTool, LengthTool];
const { MouseBindings } = ToolEnums;
const { stackContextPrefetch } = utilities;
/** Images loaded ahead of the one on the screen; a phone has memory for no more. */
const AHEAD = { minBefore: 8, maxAfter: 32, directionExtraImages: 16 };

/** The tools that the left button or one finger can hold. */
export const TOOL_NAMES = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  length: LengthTool.toolName,
};
export type ToolKey = keyof typeof TOOL_NAMES;

/** A stack of images in one element, with its tools. */
export class Stack {
  /** Settles once the first series is on the screen: only then can one go to an image. */
  readonly shown: Promise<void>;
  private settle: () => void = () => {};

  private constructor(
    readonly element: HTMLDivElement,
    readonly viewport: StackViewport,
    private readonly tools: NonNullable<ReturnType<typeof ToolGroupManager.createToolGroup>>,
  ) {
    this.shown = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Starts the libraries and puts an empty viewport into the element. */
  static async create(element: HTMLDivElement): Promise<Stack> {
    await initCore();
    dicomImageLoader.init({ maxWebWorkers: Math.min(4, Math.max(1, navigator.hardwareConcurrency >> 1)) });
    initTools();
    stackContextPrefetch.setConfiguration(AHEAD);
    const engine = new RenderingEngine("reading");
    engine.enableElement({ viewportId: "stack", type: Enums.ViewportType.STACK, element });
    const tools = ToolGroupManager.createToolGroup("reading");
    if (!tools) throw new Error("the viewer was started twice");
    for (const tool of [...TOOLS, StackScrollTool]) {
      addTool(tool);
      tools.addTool(tool.toolName);
    }
    tools.addViewport("stack", "reading");
    tools.setToolActive(StackScrollTool.toolName, { bindings: [{ mouseButton: MouseBindings.Wheel }] });
    const stack = new Stack(element, engine.getViewport("stack") as StackViewport, tools);
    stack.hold("window");
    new ResizeObserver(() => engine.resize(true, true)).observe(element);
    return stack;
  }

  /** Gives the left button and one finger to a tool; middle pans, right and two fingers zoom. */
  hold(key: ToolKey): void {
    for (const name of Object.values(TOOL_NAMES))
      this.tools.setToolPassive(name, { removeAllBindings: true });
    const bindings: Record<string, { mouseButton?: number; numTouchPoints?: number }[]> = {
      [TOOL_NAMES.pan]: [{ mouseButton: MouseBindings.Auxiliary }],
      [TOOL_NAMES.zoom]: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
    };
    const chosen = TOOL_NAMES[key];
    bindings[chosen] = [{ mouseButton: MouseBindings.Primary }, ...(bindings[chosen] ?? [])];
    for (const [name, list] of Object.entries(bindings)) this.tools.setToolActive(name, { bindings: list });
  }

  /** Shows a series and loads its images ahead of scrolling. */
  async show(imageIds: string[]): Promise<void> {
    stackContextPrefetch.disable(this.element);
    await this.viewport.setStack(imageIds, 0);
    this.viewport.render();
    stackContextPrefetch.enable(this.element);
    this.settle();
  }

  /** Goes to the image of a SOP instance and frame. */
  async goTo(index: number): Promise<void> {
    await this.viewport.setImageIdIndex(index);
  }

  /** Scrolls by a number of images and stops at the ends. */
  async scroll(by: number): Promise<void> {
    const last = this.viewport.getImageIds().length - 1;
    const next = Math.min(last, Math.max(0, this.viewport.getCurrentImageIdIndex() + by));
    if (next !== this.viewport.getCurrentImageIdIndex()) await this.goTo(next);
  }

  /** Turns dark and bright. */
  invert(): void {
    this.viewport.setProperties({ invert: !this.viewport.getProperties().invert });
    this.viewport.render();
  }

  /** Zooms about the middle. */
  zoom(factor: number): void {
    this.viewport.setZoom(this.viewport.getZoom() * factor);
    this.viewport.render();
  }

  /** Back to how the image came. */
  reset(): void {
    this.viewport.resetCamera();
    this.viewport.resetProperties();
    this.viewport.render();
  }
}
