// What mixup or cutmix does in this step; the layout of Deit.Gpu/Recording/MixState.cs.
struct MixState
{
    float pixelLambda;   // weight of a pixel's own image outside the box
    float targetLambda;  // weight of an image's own target
    uint left, top, right, bottom;  // inside the box the partner's pixels show
    uint unused0, unused1;
};
