/* The kernel as foreign functions of XLA: a forest's outputs, and their derivatives by its parameters and inputs.

   XLA calls these handlers on its own threads, without Python's lock. They keep no state, and a call's memory is the
   kernel's. A handler is called once more when it is registered, to ask for its version. */

#include <stddef.h>
#include <stdint.h>

#include "kernel.h"
#include "xla_ffi.h"

enum { PREDICT = 2, PULLBACK = 6 }; /* the first of their two places among the functions of dispatch.c */
enum { FIRST_NODE, SIZE, KIND, FIRST_PARAM, SOURCE, ROWS, PARAMS, INPUTS, OUTPUTS_GRADIENT };

/* The parts of the interface that are used here have been the same since its version 0.1. */
#define FIRST_MINOR 1
#define MOST_ELEMENTS INT32_MAX /* the kernel counts them in 32 bits */

static const volatile int32_t never = 0; /* a flag to stop a call that nobody sets */

static XLA_FFI_Error *error(const XLA_FFI_CallFrame *frame, XLA_FFI_Error_Code code, const char *message)
{
    XLA_FFI_Error_Create_Args args = {XLA_FFI_Error_Create_Args_STRUCT_SIZE, NULL, message, code};
    return frame->api->XLA_FFI_Error_Create(&args);
}

static XLA_FFI_Error *refuse(const XLA_FFI_CallFrame *frame, const char *message)
{
    return error(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, message);
}

/* Answer a call for metadata; 0 if this is none. The first versions of XLA accept only handlers of their own
   version, later ones older handlers too. So the answer is the smaller of XLA's version and ours. An XLA that passes no
   ``api`` here may be one of the first. */
static int tell_metadata(const XLA_FFI_CallFrame *frame)
{
    const XLA_FFI_Extension_Base *extension = frame->extension_start;
    while (extension && extension->type != XLA_FFI_Extension_Metadata) {
        extension = extension->next;
    }
    if (!extension) {
        return 0;
    }
    const int asked = frame->api ? frame->api->api_version.minor_version : FIRST_MINOR;
    XLA_FFI_Metadata *told = ((const XLA_FFI_Metadata_Extension *)extension)->metadata;
    told->api_version.struct_size = XLA_FFI_Api_Version_STRUCT_SIZE;
    told->api_version.major_version = XLA_FFI_API_MAJOR;
    told->api_version.minor_version = asked < XLA_FFI_API_MINOR ? asked : XLA_FFI_API_MINOR;
    told->traits = 0;
    return 1;
}

/* Whether XLA lays out a call as this file does, and passes as many arguments and results as it expects. */
static int well_formed(const XLA_FFI_CallFrame *frame, int64_t args, int64_t least_rets, int64_t most_rets)
{
    return frame->struct_size >= XLA_FFI_CallFrame_STRUCT_SIZE &&
           frame->api->api_version.major_version == XLA_FFI_API_MAJOR && frame->args.size == args &&
           frame->rets.size >= least_rets && frame->rets.size <= most_rets;
}

/* Whether a buffer has this type and rank, and no more numbers than the kernel can count. */
static int fits(const XLA_FFI_Buffer *buffer, XLA_FFI_DataType type, int64_t rank)
{
    if (buffer->struct_size < XLA_FFI_Buffer_STRUCT_SIZE || buffer->dtype != type || buffer->rank != rank) {
        return 0;
    }
    for (int64_t axis = 0; axis < rank; axis++) {
        if (buffer->dims[axis] < 0 || buffer->dims[axis] > MOST_ELEMENTS) {
            return 0;
        }
    }
    return 1;
}

static int has_shape(const XLA_FFI_Buffer *buffer, const int64_t *dims)
{
    for (int64_t axis = 0; axis < buffer->rank; axis++) {
        if (buffer->dims[axis] != dims[axis]) {
            return 0;
        }
    }
    return 1;
}

/* The job that the arguments describe, or an error if their types or shapes disagree. ``outputs`` is the buffer of the
   outputs or of the derivatives by them. The kernel checks what the arrays hold. */
static XLA_FFI_Error *read_job(const XLA_FFI_CallFrame *frame, XLA_FFI_Buffer *const *args,
                               const XLA_FFI_Buffer *outputs, Job *job)
{
    const XLA_FFI_DataType real = args[PARAMS]->dtype;
    if (real != XLA_FFI_DataType_F32 && real != XLA_FFI_DataType_F64) {
        return refuse(frame, "the parameters must be float32 or float64");
    }
    for (int i = FIRST_NODE; i <= ROWS; i++) {
        if (!fits(args[i], XLA_FFI_DataType_S32, 1)) {
            return refuse(frame, "the structure and the rows must be vectors of int32");
        }
    }
    if (!fits(args[PARAMS], real, 1) || !fits(args[INPUTS], real, 2) || !fits(outputs, real, 3)) {
        return refuse(frame, "parameters, inputs and outputs must have one type, and 1, 2 and 3 axes");
    }
    const int64_t nodes = args[SIZE]->dims[0], params = args[PARAMS]->dims[0], rows = args[INPUTS]->dims[0];
    const int64_t trees = args[FIRST_NODE]->dims[0] - 1;
    if (trees < 0 || args[KIND]->dims[0] != nodes || args[FIRST_PARAM]->dims[0] != nodes + 1 ||
        args[SOURCE]->dims[0] != params) {
        return refuse(frame, "the arrays of the structure have lengths that disagree");
    }
    if (outputs->dims[0] != trees || outputs->dims[2] != rows || args[ROWS]->dims[0] != rows) {
        return refuse(frame, "the outputs must have the shape (trees, outputs, rows)");
    }
    *job = (Job){
        .trees = (int32_t)trees,
        .nodes = (int32_t)nodes,
        .params = (int32_t)params,
        .features = (int32_t)args[INPUTS]->dims[1],
        .outputs = (int32_t)outputs->dims[1],
        .first_node = args[FIRST_NODE]->data,
        .size = args[SIZE]->data,
        .kind = args[KIND]->data,
        .first_param = args[FIRST_PARAM]->data,
        .source = args[SOURCE]->data,
        .rows = rows,
        .inputs = args[INPUTS]->data,
        .validation_rows = rows,
        .validation = args[ROWS]->data,
        .batch = 1,
        .param = args[PARAMS]->data,
        .found = outputs->data,
        .stop = &never,
    };
    return NULL;
}

/* Run the function for the type of the parameters. */
static XLA_FFI_Error *run(const XLA_FFI_CallFrame *frame, int function, XLA_FFI_DataType real, Job *job)
{
    const int status = nt_call(function + (real == XLA_FFI_DataType_F64), job);
    if (status == NT_DONE) {
        return NULL;
    }
    return status == NT_MEMORY ? error(frame, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, nt_message(status))
                               : refuse(frame, nt_message(status));
}

/* Arguments: the five arrays of the structure, the numbers of the rows, parameters, inputs. Result: outputs. */
XLA_FFI_Error *nt_ffi_outputs(XLA_FFI_CallFrame *frame)
{
    if (tell_metadata(frame)) {
        return NULL;
    }
    if (!well_formed(frame, INPUTS + 1, 1, 1)) {
        return refuse(frame, "XLA calls the kernel in a form that it does not know");
    }
    Job job;
    XLA_FFI_Buffer *const *args = (XLA_FFI_Buffer *const *)frame->args.args;
    XLA_FFI_Error *bad = read_job(frame, args, frame->rets.rets[0], &job);
    return bad ? bad : run(frame, PREDICT, args[PARAMS]->dtype, &job);
}

/* Arguments: those of nt_ffi_outputs, and derivatives by the outputs. Results: derivatives by the parameters and, if
   there is a second one, by the inputs. */
XLA_FFI_Error *nt_ffi_pullback(XLA_FFI_CallFrame *frame)
{
    if (tell_metadata(frame)) {
        return NULL;
    }
    if (!well_formed(frame, OUTPUTS_GRADIENT + 1, 1, 2)) {
        return refuse(frame, "XLA calls the kernel in a form that it does not know");
    }
    Job job;
    XLA_FFI_Buffer *const *args = (XLA_FFI_Buffer *const *)frame->args.args;
    XLA_FFI_Buffer *const *rets = (XLA_FFI_Buffer *const *)frame->rets.rets;
    XLA_FFI_Error *bad = read_job(frame, args, args[OUTPUTS_GRADIENT], &job);
    if (bad) {
        return bad;
    }
    const XLA_FFI_DataType real = args[PARAMS]->dtype;
    const int by_input = frame->rets.size == 2;
    if (!fits(rets[0], real, 1) || !has_shape(rets[0], args[PARAMS]->dims) ||
        (by_input && (!fits(rets[1], real, 2) || !has_shape(rets[1], args[INPUTS]->dims)))) {
        return refuse(frame, "derivatives must have the types and shapes of the parameters and inputs");
    }
    job.first = rets[0]->data;
    job.by_input = by_input ? rets[1]->data : NULL;
    return run(frame, PULLBACK, real, &job);
}
